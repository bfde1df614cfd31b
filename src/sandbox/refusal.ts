/** An answer that is not a 200. Each wire writes it in its own form. */
export class Refusal extends Error {
  readonly status: number;
  /** The member of the request at fault, as the wire names it. */
  readonly param: string | undefined;
  /** The OpenAI wire's machine code. */
  readonly code: string | undefined;

  constructor(
    status: number,
    message: string,
    detail: { readonly param?: string; readonly code?: string } = {},
  ) {
    super(message);
    this.status = status;
    this.param = detail.param;
    this.code = detail.code;
  }
}

export function badRequest(message: string, param?: string): Refusal {
  return new Refusal(400, message, param === undefined ? {} : { param });
}

export type CheckedCatalog = {
  /** How many of the folder were read; of the built-in data without one. */
  readonly files: number;
  readonly models: number;
  readonly providers: number;
  readonly faults: readonly {
    readonly file: string;
    readonly line?: number;
    readonly path: string;
    readonly fault: string;
  }[];
};

export const catalogFileKinds = ["provider", "model", "family"] as const;
export type CatalogFileKind = (typeof catalogFileKinds)[number];

/** What the command line is handed by the process it runs in. */
export type CliHouse = {
  /** Starts the server; resolves with its exit code when it ended. */
  readonly serve: (options: {
    readonly starter: boolean;
    readonly quiet: boolean;
    readonly json: boolean;
  }) => Promise<number>;
  /** Reads the built-in data and that of a folder, as a server would. */
  readonly checkCatalog: (folder: string | undefined) => Promise<CheckedCatalog>;
  /** The form of a kind of file in the catalog, as JSON Schema. */
  readonly catalogSchema: (kind: CatalogFileKind) => Promise<object>;
  readonly environment: {
    /** `SKILLBOSS_URL` */
    readonly url: string | undefined;
    /** `SKILLBOSS_API_KEY` */
    readonly apiKey: string | undefined;
    /** `SKILLBOSS_OPERATOR_TOKEN` */
    readonly operatorToken: string | undefined;
    /** Where the server keeps `operator-token`. */
    readonly dataDirectory: string;
  };
  readonly standardOutput: NodeJS.WritableStream & { isTTY?: boolean };
  readonly standardError: NodeJS.WritableStream;
  /** The process's own when absent. */
  readonly standardInput?: NodeJS.ReadableStream & { isTTY?: boolean };
  readonly version: string;
};

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { RunModel } from "../core/model.ts";
import { loadCatalog } from "./load.ts";

/** Prices that follow from the size of something that the customer sends and nobody has measured. */

const { models } = loadCatalog({ directories: [join(import.meta.dirname, "..", "..", "catalog")] });

type Metered = {
  readonly model: RunModel;
  readonly meter: string;
  readonly reserve: string;
  readonly isTold: boolean;
};

const metered: readonly Metered[] = models.flatMap((model) =>
  model.kind === "run" ? model.offers.flatMap((offer) => metersOf(model, offer)) : [],
);

function metersOf(model: RunModel, { work }: RunModel["offers"][number]): readonly Metered[] {
  if (!("endpoint" in work)) return [];
  return work.endpoint.meters.map(({ meter, reserve, quantity }) => ({
    model,
    meter,
    reserve: JSON.stringify(reserve),
    isTold: quantity !== undefined,
  }));
}

function inputsOf({ inputs }: RunModel): Readonly<Record<string, { readonly maximum?: number }>> {
  return (inputs["properties"] ?? {}) as Readonly<Record<string, { readonly maximum?: number }>>;
}

test("what is as long as a customer's video or sound is charged by a length that is told or asked for, never by a fixed one", () => {
  const recording = /^(?:video|audio|media|file)(?:_data|_urls?)?$/;
  const byLength = metered.filter(
    ({ model, meter }) =>
      meter.endsWith("_seconds") && Object.keys(inputsOf(model)).some((name) => recording.test(name)),
  );
  assert.ok(byLength.length >= 12, String(byLength.length));
  const fixed = byLength.filter(({ isTold, reserve }) => !isTold && !reserve.includes('"$.inputs.'));
  assert.deepEqual(
    fixed.map(({ model }) => model.id),
    [],
  );
});

test("for an image that is made larger as much is held as it may grow", () => {
  const factor = /^(?:upscal\w*|scale)$/;
  const growing = metered
    .flatMap((one) =>
      one.meter === "megapixels"
        ? Object.keys(inputsOf(one.model))
            .filter((name) => factor.test(name))
            .map((name) => ({ ...one, name }))
        : [],
    )
    .filter(({ model, name }) => model.id !== "fal/instant-character" || name !== "scale");
  assert.ok(growing.length >= 6, String(growing.length));
  for (const { model, name, reserve } of growing) {
    assert.ok(reserve.includes(`"$.inputs.${name}"`), model.id);
    assert.ok((inputsOf(model)[name]?.maximum ?? Infinity) <= 10, `${model.id} ${name}`);
  }
});

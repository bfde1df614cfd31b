import type { JsonObject } from "../../core/json-object.ts";
import { offerKey } from "../../routing/rank.ts";
import { namedInputs } from "./input-names.ts";
import type { RunHouse } from "./run-house.ts";
import type { SeenRun } from "./run-store.ts";

/** Those of the inputs, as they were asked, that the engine which did the run could do nothing with. */
export function leftOutBy(row: SeenRun, asked: JsonObject, house: RunHouse): readonly string[] {
  const model = house.catalog.find(row.model_id)?.model;
  if (model?.kind !== "run") return [];
  const offer = model.offers.find((one) => offerKey(one) === row.offer);
  const line = offer === undefined ? undefined : house.lineTo(offer, row.mode);
  if (line === undefined || !("engine" in line)) return [];
  return line.engine.leavesOut?.(namedInputs(model, asked).inputs) ?? [];
}

import { Deliveries } from "./deliveries.ts";
import { DeliveryWorker } from "./delivery-worker.ts";
import type { WorkerHouse } from "./delivery-worker.ts";
import { WebhookSecrets } from "./webhook-secrets.ts";

/** Messages to customers' servers: who sends them, what their owners see of them, and what they are signed with. */
export type Webhooks = {
  readonly worker: DeliveryWorker;
  readonly deliveries: Deliveries;
  readonly secrets: WebhookSecrets;
};

/** Nothing is sent before `worker.start()`. */
export function webhooksOf(house: WorkerHouse): Webhooks {
  return {
    worker: new DeliveryWorker(house),
    deliveries: new Deliveries(house.database, house.clock),
    secrets: new WebhookSecrets(house),
  };
}

import type { Door } from "./door.ts";
import type { MediaHouse } from "./media-run.ts";
import { speechDoor } from "./speech.ts";
import { transcriptionDoors } from "./transcriptions.ts";

/** OpenAI's addresses for speech and for what is said, for every such model of the catalog. */
export function audioDoors(house: MediaHouse): readonly Door[] {
  return [speechDoor(house), ...transcriptionDoors(house)];
}

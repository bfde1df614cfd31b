/** Puts a file without end until it is killed; says when the first megabyte has been taken. Arguments: folder, id. */
import { localFileStore } from "./local-file-store.ts";

const [directory = "", id = ""] = process.argv.slice(2);

async function* endless(): AsyncGenerator<Buffer, void, undefined> {
  for (let sent = 0; ; sent += 65_536) {
    if (sent === 1_048_576) process.stdout.write("on its way\n");
    yield Buffer.alloc(65_536, 1);
    // Slowly: it is about being killed, not about filling the disk.
    if (sent > 1_048_576) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

await localFileStore(directory).put(id, endless(), { maxBytes: 500_000_000 });

import fs from "node:fs";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { PGlite } from "@electric-sql/pglite";

type NodeStream = { readonly nfd?: number | null; readonly node: unknown };
type NodeFileLayer = {
  readonly stream_ops: { fsync?: (stream: NodeStream) => number };
  readonly realPath: (node: unknown) => string;
};

/**
 * PGlite's file system for Node.js, with an fsync that reaches the disk: as shipped PostgreSQL's fsync() ends in
 * nothing, and a power loss can leave a database that does not open. `fsyncs` counts the calls.
 * It leans on the inside of PGlite's file layer; the guard tests beside it must pass for each new version of PGlite.
 */
export class DurableFilesystem extends NodeFS {
  fsyncs = 0;
  readonly #afterFailure: (error: unknown) => never;

  /** `afterFailure` must end the thread: after a failed fsync nothing that PostgreSQL believes is certain. */
  constructor(directory: string, afterFailure: (error: unknown) => never) {
    super(directory);
    this.#afterFailure = afterFailure;
  }

  override async init(...[database, settings]: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const prepared = await super.init(database, settings);
    const { preRun } = prepared.emscriptenOpts;
    if (preRun === undefined) throw new Error("this version of PGlite mounts its files in another way");
    preRun.push((module) => {
      const layer: unknown = module.NODEFS;
      if (!isNodeFileLayer(layer)) throw new Error("this version of PGlite has another file layer");
      layer.stream_ops.fsync = (stream) => {
        this.fsyncs += 1;
        try {
          syncToDisk(stream.nfd, () => layer.realPath(stream.node));
        } catch (error) {
          this.#afterFailure(error);
        }
        return 0;
      };
    });
    return prepared;
  }
}

function isNodeFileLayer(layer: unknown): layer is NodeFileLayer {
  return (
    typeof layer === "object" &&
    layer !== null &&
    "stream_ops" in layer &&
    typeof layer.stream_ops === "object" &&
    "realPath" in layer &&
    typeof layer.realPath === "function"
  );
}

/** A directory has no descriptor of its own in that layer and is opened for the purpose. */
function syncToDisk(descriptor: number | null | undefined, path: () => string): void {
  if (typeof descriptor === "number") {
    fs.fsyncSync(descriptor);
    return;
  }
  const opened = fs.openSync(path(), "r");
  try {
    fs.fsyncSync(opened);
  } finally {
    fs.closeSync(opened);
  }
}

/**
 * PGlite's own parameters without `-F`, which turns fsync off. With 32 MB of buffers instead of 128 the process takes
 * 110 MB less; what is read often lies in the operating system's cache all the same.
 */
export const durableStartParameters: readonly string[] = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== "-F"),
  "-c",
  "fsync=on",
  "-c",
  "wal_sync_method=fsync",
  "-c",
  "shared_buffers=32MB",
];

import { committedHint } from "@firn/core";
import type { Logger } from "@firn/service";
import type { TableIdentifier, TableMetadata } from "@firn/lake";
import type { StoredMetadata } from "../metadata/stored-metadata.ts";

/** Says that a table has changed, to whoever listens now; it may be lost. */
export interface CommitEvents {
  committed(identifier: TableIdentifier, table: StoredMetadata<TableMetadata>): void;
}

export const noEvents: CommitEvents = { committed: () => {} };

/** What can say something, once and to whoever listens. */
export interface HintPublisher {
  publishHint(subject: string, data: Uint8Array): void;
}

/**
 * Hints on `lake.committed.<namespace>.<table>`: `{"v": 1, "namespace": […], "table", "snapshot_id" | null,
 * "metadata_location"}`, the snapshot as a string. Characters that a subject must not hold are underscores there.
 */
export function publishedEvents(publisher: () => HintPublisher | undefined, log: Logger): CommitEvents {
  return {
    committed({ namespace, name }, { metadata, metadataLocation }) {
      const connection = publisher();
      if (connection === undefined) return;
      const event = {
        v: 1,
        namespace,
        table: name,
        snapshot_id: metadata["current-snapshot-id"]?.toString() ?? null,
        metadata_location: metadataLocation,
      };
      try {
        const subject = committedHint(namespace.map(token).join("."), token(name));
        connection.publishHint(subject, Buffer.from(JSON.stringify(event)));
      } catch (error) {
        log.debug("a commit was not announced", { table: name, error });
      }
    },
  };
}

function token(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, "_");
}

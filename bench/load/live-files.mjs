// What a reader of the catalog finds: files and rows of every health table, from the snapshot summaries.
export async function liveFiles(endpoints, namespace = "health_db") {
  const list = await (await fetch(`${endpoints.catalog}/v1/namespaces/${namespace}/tables`)).json();
  const tables = {};
  for (const { name } of list.identifiers) {
    const text = await (await fetch(`${endpoints.catalog}/v1/namespaces/${namespace}/tables/${name}`)).text();
    // Snapshot ids use all 64 bits: they stay texts.
    const { metadata } = JSON.parse(text.replaceAll(/("[a-z-]*snapshot-id"\s*:\s*)(-?\d+)/g, '$1"$2"'));
    const snapshot = metadata.snapshots?.find((one) => one["snapshot-id"] === metadata["current-snapshot-id"]);
    const total = (what) => Number(snapshot?.summary?.[`total-${what}`] ?? 0);
    tables[name] = {
      rows: total("records"),
      dataFiles: total("data-files"),
      deleteFiles: total("delete-files"),
      positionDeletes: total("position-deletes"),
      bytes: total("files-size"),
      snapshots: metadata.snapshots?.length ?? 0,
    };
  }
  return tables;
}

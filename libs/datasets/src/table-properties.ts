const MEBIBYTE = 1024 * 1024;

/** What every table of ours has (Iceberg, "Write properties"), beside what its lake asks for. */
export function tableProperties(
  parquet: { readonly codec: "snappy" | "zstd"; readonly targetFileMb: number },
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return {
    "format-version": "2",
    "write.format.default": "parquet",
    "write.parquet.compression-codec": parquet.codec,
    "write.target-file-size-bytes": String(parquet.targetFileMb * MEBIBYTE),
    "write.parquet.row-group-size-bytes": String(128 * MEBIBYTE),
    "write.metadata.compression-codec": "gzip",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "100",
    "commit.retry.num-retries": "10",
    ...more,
  };
}

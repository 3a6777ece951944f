export const SEAWEEDFS_VERSION: string;
export const VERSITYGW_VERSION: string;
export const ICEBERG_VERSION: string;
export const NESSIE_VERSION: string;
export function ensureWeed(): string;
export function ensureVersitygw(): string | undefined;
export function ensureIcebergFixture(): string;
export function ensureNessie(): { jar: string; java: string };

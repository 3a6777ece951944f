declare module "lz4js" {
  export function decompress(packed: Uint8Array): Uint8Array;
}

declare module "snappyjs" {
  export function uncompress(packed: Uint8Array): Uint8Array;
}

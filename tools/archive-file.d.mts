export function unzip(archive: Buffer, wanted: (name: string) => boolean): Buffer;
export function untar(archive: Buffer, wanted: (name: string) => boolean): Buffer;

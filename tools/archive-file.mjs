// One file out of an archive in memory, with nothing but Node: what is fetched before anything is installed needs it.
import { inflateRawSync } from "node:zlib";

/** One file out of a zip archive (APPNOTE 4.3: end record, central directory, local header, data). */
export function unzip(archive, wanted) {
  const end = archive.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  if (end < 0) throw new Error("not a zip archive");
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const lengths = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
    const name = archive.toString("utf8", at + 46, at + 46 + lengths[0]);
    if (wanted(name)) {
      const local = archive.readUInt32LE(at + 42);
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const bytes = archive.subarray(start, start + archive.readUInt32LE(at + 20));
      return archive.readUInt16LE(at + 10) === 0 ? bytes : inflateRawSync(bytes);
    }
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  throw new Error("the archive does not hold the file");
}

/** One file out of a tar archive (ustar: 512-byte headers, octal sizes). */
export function untar(archive, wanted) {
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const text = (from, length) => archive.toString("utf8", at + from, at + from + length).split("\0")[0];
    const size = parseInt(text(124, 12), 8);
    if (wanted(text(0, 100)) && text(156, 1) !== "5") return archive.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error("the archive does not hold the file");
}

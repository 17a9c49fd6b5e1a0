// A reader of what our Excel files are made of, without a library: sheets, texts in place, numbers, styles.
import { inflateRawSync } from 'node:zlib';

/** The files of a zip archive: Map of name to bytes. */
export function unzip(bytes) {
  const files = new Map();
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [method, packed, nameBytes, extraBytes, commentBytes] = [
      bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28),
      bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32),
    ];
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const content = bytes.subarray(start, start + packed);
    files.set(bytes.toString('utf8', at + 46, at + 46 + nameBytes), method === 8 ? inflateRawSync(content) : content);
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return files;
}

const plain = (xml) =>
  xml
    .replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&apos;/g, "'").replace(/&amp;/g, '&')
    .replace(/_x([0-9A-F]{4})_/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));

const attribute = (tag, name) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
const columnOf = (cell) => [...cell.replace(/\d/g, '')].reduce((n, letter) => n * 26 + letter.charCodeAt(0) - 64, 0) - 1;

/** [{name, rows}]: each row a list of {text} or {number, format}, undefined where there is nothing. */
export function readXlsx(bytes) {
  const files = unzip(bytes);
  const xml = (name) => files.get(name).toString('utf8');
  const styles = xml('xl/styles.xml');
  const formats = new Map(
    [...styles.matchAll(/<numFmt [^>]*>/g)].map(([tag]) => [attribute(tag, 'numFmtId'), plain(attribute(tag, 'formatCode'))]),
  );
  const used = [...styles.matchAll(/<cellXfs[^>]*>(.*?)<\/cellXfs>/gs)][0][1];
  const styleFormats = [...used.matchAll(/<xf [^>]*>/g)].map(([tag]) => formats.get(attribute(tag, 'numFmtId')) ?? null);
  const names = [...xml('xl/workbook.xml').matchAll(/<sheet [^>]*>/g)].map(([tag]) => plain(attribute(tag, 'name')));
  return names.map((name, index) => {
    const sheet = xml(`xl/worksheets/sheet${index + 1}.xml`);
    const rows = [...sheet.matchAll(/<row [^>]*>(.*?)<\/row>/gs)].map(([, inside]) => {
      const cells = [];
      for (const [, tag, content = ''] of inside.matchAll(/<c ([^>]*?)(?:\/>|>(.*?)<\/c>)/gs)) {
        const column = columnOf(attribute(tag, 'r'));
        const value = /<v>(.*?)<\/v>/s.exec(content)?.[1];
        const text = /<t[^>]*>(.*?)<\/t>/s.exec(content)?.[1];
        if (attribute(tag, 't') === 'inlineStr') cells[column] = { text: plain(text ?? '') };
        else if (value !== undefined) cells[column] = { number: Number(value), format: styleFormats[Number(attribute(tag, 's') ?? 0)] };
      }
      return cells;
    });
    return { name, rows, hasFormula: /<f[ >]/.test(sheet) };
  });
}

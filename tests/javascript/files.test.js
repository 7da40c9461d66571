import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { collect } from "../../web/static/js/model/entries.js";
import { filmsOfPhotos, foreignName, mediaType } from "../../web/static/js/model/sniff.js";

const file = (name) => ({ isFile: true, name, fullPath: `/${name}`, file: (resolve) => resolve({ name }) });
const broken = (name) => ({ isFile: true, name, fullPath: `/folder/${name}`, file: (_, reject) => reject(new Error("NotFoundError")) });

function folder(name, children) {
  const pages = [children.slice(0, 2), children.slice(2), []];
  return { isFile: false, name, fullPath: `/${name}`, createReader: () => ({ readEntries: (resolve) => resolve(pages.shift()) }) };
}

test("one entry that cannot be read is named, and loses nothing else", async () => {
  const dropped = await collect([folder("folder", [file("a.jpg"), broken("b.jpg"), file("c.jpg"), file(".hidden")]), file("d.jpg")]);
  assert.deepEqual(dropped.files.map((each) => each.name), ["a.jpg", "c.jpg", "d.jpg"]);
  assert.deepEqual(dropped.unreadable, ["folder/b.jpg"]);
});

test("a folder that cannot be listed is named", async () => {
  const locked = { isFile: false, name: "locked", fullPath: "/locked", createReader: () => ({ readEntries: (_, reject) => reject(new Error("NotReadableError")) }) };
  assert.deepEqual(await collect([locked, file("a.jpg")]), { files: [{ name: "a.jpg" }], unreadable: ["locked"] });
});

test("a film beside a photo of the same name is that of a Live Photo", () => {
  const films = ["IMG_1.MOV", "img_2.mov", "IMG_3.HEIC.MP4", "IMG_4.MOV", "IMG_5.PNG.MOV"];
  const photos = ["IMG_1.HEIC", "IMG_2.JPG", "IMG_3.HEIC", "IMG_40.HEIC", "IMG_5.PNG", "mov"];
  assert.deepEqual([...filmsOfPhotos([...films, ...photos])], ["IMG_1.MOV", "img_2.mov", "IMG_3.HEIC.MP4"]);
  assert.deepEqual([...filmsOfPhotos(films)], []);
});

const box = (brand, compatible) => `\0\0\0\x1cftyp${brand}\0\0\0\0${compatible}`;
const HEADS = {
  "\xff\xd8\xff\xe0": "image/jpeg",
  "\x89PNG\r\n\x1a\n": "image/png",
  GIF89a: "image/gif",
  "RIFF\x01\x02\x03\x04WEBPVP8 ": "image/webp",
  "RIFF\x01\x02\x03\x04WAVEfmt ": null,
  [box("avif", "mif1miaf")]: "image/avif",
  [box("mif1", "avifmiaf")]: "image/avif",
  [box("heic", "mif1heic")]: "image/heic",
  [box("mif1", "miafheix")]: "image/heic",
  [box("mif1", "miafMiHB")]: "image/heif",
  [box("mif2", "mif1heic")]: "image/heic",
  [box("miaf", "avifmif1")]: "image/avif",
  [`${box("abcd", "xyzaxyza")}\0\0\x01\0meta\0\0\0\0\0\0\0!hdlr\0\0\0\0\0\0\0\0pict`]: "image/heif",
  [box("isom", "mp41iso2")]: null,
  "II*\0\x08\0\0\0": "image/tiff",
  "MM\0*\0\0\0\x08": "image/tiff",
  "BM\x36\0": "image/bmp",
  "FUJIFILMCCD-RAW 0201": "image/x-fuji-raf",
  [box("crx ", "isomcrx ")]: "image/x-canon-cr3",
  "IIU\0\x08": null,
  "%PDF-1.7": null,
  "": null,
};

test("every type is recognised by its first bytes, with the brands of containers in any order", () => {
  for (const [head, type] of Object.entries(HEADS)) {
    const bytes = Uint8Array.from(head, (character) => character.charCodeAt(0));
    assert.equal(mediaType(bytes), type, JSON.stringify(head));
  }
});

const FOREIGN = JSON.parse(readFileSync(new URL("../../imgcore/gallery/foreign_formats.json", import.meta.url)));

test("other kinds of files are named as the server names them", () => {
  const names = {
    "II+\0": "a BigTIFF picture",
    "%PDF-1.7": "a PDF document",
    "\0\0\0\x0cJXL ": "a JPEG XL picture",
    "RIFF\0\0\0\0AVI LIST": "a video",
    "\0\0\0\x18ftypmp42": "a video",
    "\xef\xbb\xbf<?xml version='1.0'?>\n<svg xmlns='...'/>": "an SVG drawing",
    "<?xml version='1.0'?><html/>": null,
    "a text": null,
  };
  for (const [head, name] of Object.entries(names)) {
    const bytes = Uint8Array.from(head, (character) => character.charCodeAt(0));
    assert.equal(foreignName(bytes, FOREIGN), name, JSON.stringify(head));
  }
});

// What the camera sees: short videos made from photographs, as Chromium's fake camera reads them (YUV4MPEG2, 4:2:0).
//
// Chromium takes the samples as limited-range BT.601 (ITU-R BT.601-7, table 3): a full-range file would come out with
// stretched contrast, and a face model would see another picture.

import { mkdirSync, readFileSync, renameSync, writeFileSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { encodeQR } from 'qr';

const width = 640;
const height = 480;
const frames = 8;
const framesPerSecond = 10;

/** Where the face is in each photograph: its middle and height in the photograph's pixels. */
const portraits = {
  obama: { file: 'obama.jpg', x: 483, y: 275, height: 310 },
  obama2: { file: 'obama2.jpg', x: 335, y: 455, height: 400 },
  obama3: { file: 'obama3.jpg', x: 765, y: 462, height: 345 },
  biden: { file: 'biden.jpg', x: 578, y: 385, height: 400 },
};

/** What is in view: portraits with the place of the face's middle and its height in the frame, in pixels. */
const scenes = {
  personA: [{ ...portraits.obama, at: [330, 220], size: 200, left: 0, right: width }],
  personALater: [{ ...portraits.obama2, at: [320, 225], size: 175, left: 0, right: width }],
  personB: [{ ...portraits.biden, at: [325, 235], size: 175, left: 0, right: width }],
  // Synthetic, as in the capture's own tests: a tablet with a dark bezel, held out in front of a wall.
  heldOut: [{ ...portraits.obama, at: [320, 240], size: 140, left: 195, right: 445, top: 85, bottom: 395, bezel: 10 }],
  twoPeople: [
    { ...portraits.obama, at: [215, 220], size: 150, left: 0, right: 320 },
    { ...portraits.biden, at: [425, 220], size: 150, left: 320, right: width },
  ],
  nobody: [],
};

const header = `YUV4MPEG2 W${width} H${height} F${framesPerSecond}:1 Ip A1:1 C420\n`;

/** A camera file in `folder` whose content can be swapped between two openings of the camera. */
export class CameraFile {
  constructor(folder, pictures) {
    this.folder = folder;
    this.path = join(folder, 'camera.y4m');
    mkdirSync(folder, { recursive: true });
    for (const [name, people] of Object.entries(scenes)) writeFileSync(this.#file(name), video(people, pictures));
    this.show('nobody');
  }

  /** From the next opening of the camera on, `scene` is in view. The swap is atomic. */
  show(scene) {
    const next = `${this.path}.next`;
    copyFileSync(this.#file(scene), next);
    renameSync(next, this.path);
  }

  /** The same with a QR code of `text` that somebody holds out, in the middle of the frame. */
  showCode(text) {
    const next = `${this.path}.next`;
    const parts = [Buffer.from(header)];
    for (let at = 0; at < frames; at++) parts.push(Buffer.from('FRAME\n'), planes(codePicture(text)));
    writeFileSync(next, Buffer.concat(parts));
    renameSync(next, this.path);
  }

  #file(scene) {
    return join(this.folder, `${scene}.y4m`);
  }
}

/** `count` JPEG files of a scene, as a page would send them. */
export function burst(scene, pictures, count) {
  return Array.from({ length: count }, (_, at) => {
    const rgb = picture(moved(decoded(scenes[scene], pictures), at));
    const data = Buffer.alloc(width * height * 4, 255);
    for (let pixel = 0; pixel < width * height; pixel++) for (let channel = 0; channel < 3; channel++) data[pixel * 4 + channel] = rgb[pixel * 3 + channel];
    return jpeg.encode({ data, width, height }, 92).data;
  });
}

/** A whole video: nobody holds quite still, so every frame is moved by a few pixels. */
function video(people, pictures) {
  const known = decoded(people, pictures);
  const parts = [Buffer.from(header)];
  for (let at = 0; at < frames; at++) parts.push(Buffer.from('FRAME\n'), planes(picture(moved(known, at))));
  return Buffer.concat(parts);
}

/** Where everybody is in frame `at`. */
function moved(people, at) {
  const sway = (at / frames) * 2 * Math.PI;
  return people.map((person) => ({ ...person, at: [person.at[0] + 3 * Math.sin(sway), person.at[1] + 2 * Math.cos(sway)] }));
}

function decoded(people, pictures) {
  const read = (file) => jpeg.decode(readFileSync(join(pictures, file)), { useTArray: true, maxMemoryUsageInMB: 1024 });
  return people.map((person) => ({ top: 0, bottom: height, bezel: 0, ...person, picture: read(person.file) }));
}

/** Red, green and blue of one frame. Where nobody is: a plain wall in even light. */
function picture(people) {
  const rgb = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const within = (person, margin) =>
        x >= person.left - margin && x < person.right + margin && y >= person.top - margin && y < person.bottom + margin;
      const person = people.find((each) => within(each, 0));
      const bezel = people.some((each) => within(each, each.bezel));
      const beside = bezel ? [12, 12, 14] : [182 - y / 16, 176 - y / 16, 165 - y / 16];
      rgb.set(person ? sample(person, x, y) : beside, (y * width + x) * 3);
    }
  }
  return rgb;
}

/** Red, green and blue of a frame with a QR code on a wall. */
function codePicture(text) {
  const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 4 });
  const scale = Math.floor((height - 40) / rows.length);
  const [left, top] = [(width - scale * rows.length) >> 1, (height - scale * rows.length) >> 1];
  const rgb = new Float32Array(width * height * 3).fill(170);
  rows.forEach((row, y) =>
    row.forEach((dark, x) => {
      for (let i = 0; i < scale; i++) rgb.fill(dark ? 20 : 240, ((top + y * scale + i) * width + left + x * scale) * 3, ((top + y * scale + i) * width + left + (x + 1) * scale) * 3);
    }),
  );
  return rgb;
}

/** The photograph's mean colour under one pixel of the frame; beyond its edge the edge goes on. */
function sample({ picture: { data, width: columns, height: rows }, x, y, height: faceHeight, at, size }, frameX, frameY) {
  const scale = faceHeight / size;
  const steps = Math.max(1, Math.ceil(scale));
  const sum = [0, 0, 0];
  for (let i = 0; i < steps; i++) {
    for (let j = 0; j < steps; j++) {
      const sourceX = x + (frameX - at[0] + (i + 0.5) / steps) * scale - 0.5;
      const sourceY = y + (frameY - at[1] + (j + 0.5) / steps) * scale - 0.5;
      bilinear(data, columns, rows, sourceX, sourceY, sum);
    }
  }
  return sum.map((channel) => channel / (steps * steps));
}

function bilinear(data, columns, rows, x, y, sum) {
  const clampedX = Math.min(Math.max(x, 0), columns - 1.001);
  const clampedY = Math.min(Math.max(y, 0), rows - 1.001);
  const left = Math.floor(clampedX);
  const top = Math.floor(clampedY);
  const across = clampedX - left;
  const down = clampedY - top;
  const first = (top * columns + left) * 4;
  const below = first + columns * 4;
  for (let channel = 0; channel < 3; channel++) {
    const upper = data[first + channel] * (1 - across) + data[first + 4 + channel] * across;
    const lower = data[below + channel] * (1 - across) + data[below + 4 + channel] * across;
    sum[channel] += upper * (1 - down) + lower * down;
  }
}

/** One Y plane and the two chroma planes at half size, limited range. */
function planes(rgb) {
  const luma = Buffer.alloc(width * height);
  const blue = Buffer.alloc((width * height) / 4);
  const red = Buffer.alloc((width * height) / 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      luma[y * width + x] = Math.round(16 + (219 * brightness(rgb, at)) / 255);
    }
  }
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      let differenceBlue = 0;
      let differenceRed = 0;
      for (const [dx, dy] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
        const at = ((y + dy) * width + x + dx) * 3;
        const own = brightness(rgb, at);
        differenceBlue += (rgb[at + 2] - own) / 1.772 / 4;
        differenceRed += (rgb[at] - own) / 1.402 / 4;
      }
      const half = (y / 2) * (width / 2) + x / 2;
      blue[half] = Math.round(128 + (224 * differenceBlue) / 255);
      red[half] = Math.round(128 + (224 * differenceRed) / 255);
    }
  }
  return Buffer.concat([luma, blue, red]);
}

function brightness(rgb, at) {
  return 0.299 * rgb[at] + 0.587 * rgb[at + 1] + 0.114 * rgb[at + 2];
}

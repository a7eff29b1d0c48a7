// Places on Earth as people type them: degrees with a point, latitude first.

export interface Position {
  latitude_e6: number;
  longitude_e6: number;
}

/** `31.2304, 121.4737` in millionths of a degree; `undefined` for what is no place. */
export function positionOf(text: string): Position | undefined {
  const match = /^\s*(-?\d{1,2}(?:\.\d{1,8})?)\s*[,，]\s*(-?\d{1,3}(?:\.\d{1,8})?)\s*$/.exec(text);
  if (!match) return undefined;
  const [latitude, longitude] = [Number(match[1]), Number(match[2])];
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  return { latitude_e6: Math.round(latitude * 1e6), longitude_e6: Math.round(longitude * 1e6) };
}

export function positionText({ latitude_e6, longitude_e6 }: Position): string {
  return `${latitude_e6 / 1e6}, ${longitude_e6 / 1e6}`;
}

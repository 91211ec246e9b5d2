/** The beginning of a text that may be of any length. */
export const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text);

/** `1 app`, `2 apps`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** `1.2 kB`, `12.3 MB`, `4.5 GB`. */
export const inBytes = (bytes: number): string => {
  const [size, unit] = bytes < 1e5 ? [1e3, 'kB'] : bytes < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  return `${(bytes / size).toFixed(1)} ${unit}`;
};

/** Characters that command a terminal or change the order of others, and halves of characters; lines and tabs may stay, and so may bold, which tables have. */
const COMMANDS = /\u001b\[(?:1|22)m|(?![\n\t])[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** `text` as it may be shown, or be a file of JSON: what would be obeyed is written `\u001b`. */
export const printable = (text: string): string =>
  text.replace(COMMANDS, (found) => (found.length > 1 ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`));

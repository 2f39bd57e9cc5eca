/**
 * Names in other spellings.
 * Source of behaviour: github.com/iancoleman/strcase, which the Collector uses.
 */

const isUpper = (char: string | undefined) => char !== undefined && char >= 'A' && char <= 'Z';
const isLower = (char: string | undefined) => char !== undefined && char >= 'a' && char <= 'z';
const isDigit = (char: string | undefined) => char !== undefined && char >= '0' && char <= '9';
const isSeparator = (char: string) => char === ' ' || char === '_' || char === '-' || char === '.';

/** `someName`, `JSONData2x` -> `some_name`, `json_data_2x`. */
export function toSnakeCase(text: string): string {
  const chars = Array.from(text.trim());
  let result = '';
  for (const [index, char] of chars.entries()) {
    const next = chars[index + 1];
    const lower = isUpper(char) ? char.toLowerCase() : char;
    let breakAfter = false;
    if (next !== undefined) {
      const upperThenOther = isUpper(char) && (isLower(next) || isDigit(next));
      const lowerThenOther = isLower(char) && (isUpper(next) || isDigit(next));
      const digitThenOther = isDigit(char) && (isUpper(next) || isLower(next));
      if (upperThenOther || lowerThenOther || digitThenOther) {
        // The last capital of several begins the next word: JSONData -> json_data.
        if (
          upperThenOther &&
          isUpper(chars[index - 1]) &&
          isLower(next) &&
          result !== '' &&
          !result.endsWith('_')
        ) {
          result += '_';
        }
        breakAfter = lowerThenOther || digitThenOther || (upperThenOther && isDigit(next));
      }
    }
    if (isSeparator(char)) result += '_';
    else result += lower;
    if (breakAfter) result += '_';
  }
  return result;
}

/** `some_name` -> `SomeName`. */
export function toCamelCase(text: string): string {
  let result = '';
  let upperNext = true;
  let afterUpper = false;
  for (const char of text.trim()) {
    if (isSeparator(char)) {
      upperNext = true;
      afterUpper = false;
      continue;
    }
    if (upperNext) result += isLower(char) ? char.toUpperCase() : char;
    else result += afterUpper && isUpper(char) ? char.toLowerCase() : char;
    afterUpper = isUpper(char);
    upperNext = isDigit(char);
  }
  return result;
}

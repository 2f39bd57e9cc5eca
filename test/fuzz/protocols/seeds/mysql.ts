import * as my from '../../../helpers/mysql-packets.js';
import type { Seed } from '../seed.js';

const connect = (capabilities: number) =>
  [
    ['server', my.greeting('5.5.5-10.11.6-MariaDB')],
    ['client', my.login(capabilities, 'shop')],
    ['server', my.ok(2)],
  ] as const;
const DEPRECATE_EOF = 0x100_0000;

export const seeds: readonly Seed[] = [
  {
    repeatFrom: 3,
    steps: [
      ...connect(DEPRECATE_EOF),
      ['client', my.query("SELECT id, name FROM orders WHERE customer = 'c-17' ORDER BY id LIMIT 10")],
      ['server', my.resultSet(true)],
    ],
  },
  {
    repeatFrom: 5,
    steps: [
      ...connect(0),
      ['client', my.prepare('UPDATE items SET stock = stock - 1 WHERE id = ?')],
      ['server', my.prepared(1, 1, 0, false)],
      ['client', my.executeStatement(1)],
      ['server', my.ok()],
      ['client', my.query('CALL report(5)')],
      ['server', my.resultSet(false, 8) + my.resultSet(false, 8, 6) + my.ok(11)],
      ['client', my.query('SELECT nope')],
      ['server', my.failure(1054, "Unknown column 'nope' in 'field list'")],
    ],
  },
  {
    steps: [
      ['server', my.greeting()],
      ['client', my.login(0)],
      ['server', my.failure(1045, "Access denied for user 'app'@'localhost' (using password: YES)", 2)],
    ],
  },
];

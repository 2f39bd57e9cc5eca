import * as pg from '../../../helpers/postgres-messages.js';
import type { Seed } from '../seed.js';

const login = [
  ['client', pg.SSL_REQUEST],
  ['server', 'N'],
  ['client', pg.startup({ user: 'app', database: 'shop' })],
  ['server', pg.AUTHENTICATED],
] as const;

export const seeds: readonly Seed[] = [
  {
    repeatFrom: 4,
    steps: [
      ...login,
      ['client', pg.query("SELECT id, name FROM orders WHERE customer = 'c-17' ORDER BY id LIMIT 10")],
      [
        'server',
        pg.rowDescription('id', 'name') +
          pg.dataRow('1', 'tea') +
          pg.dataRow('2', 'cups') +
          pg.complete('SELECT 2') +
          pg.ready(),
      ],
    ],
  },
  {
    repeatFrom: 4,
    steps: [
      ...login,
      [
        'client',
        pg.parse(
          's1',
          "UPDATE items SET stock = stock - $1 WHERE id = $2 /*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/",
        ) +
          pg.bind('', 's1', '1', '17') +
          pg.describePortal() +
          pg.execute() +
          pg.bind('', 's1', '2', '18') +
          pg.execute() +
          pg.SYNC,
      ],
      [
        'server',
        `${pg.PARSED}${pg.BOUND}${pg.message('n')}${pg.complete('UPDATE 1')}${pg.BOUND}${pg.error('23514', 'new row violates check constraint "stock"')}${pg.ready()}`,
      ],
    ],
  },
  {
    steps: [
      ...login,
      ['client', pg.query('COPY items FROM STDIN')],
      ['server', pg.message('G', `\0${pg.int16(1)}${pg.int16(0)}`)],
      ['client', pg.message('d', '1\ttea\n') + pg.message('d', '2\tcups\n') + pg.message('c')],
      ['server', pg.complete('COPY 2') + pg.ready()],
      ['client', pg.message('X')],
    ],
  },
  { steps: [['client', pg.CANCEL_REQUEST]] },
];

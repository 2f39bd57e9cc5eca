import { describe, expect, it } from 'vitest';
import { withoutValues } from '../../../../src/protocols/sql/describe.js';
import { readSqlContext } from '../../../../src/protocols/sql/sqlcommenter.js';
import { SqlStatements } from '../../../../src/protocols/sql/statement.js';
import type { SqlDialect } from '../../../../src/protocols/sql/tokens.js';

const of = (text: string, dialect: SqlDialect = 'postgresql') => new SqlStatements(dialect).of(text);

describe('SQL summary', () => {
  it.each([
    ['SELECT *\nFROM   wuser_table\nWHERE  username = ?', 'SELECT wuser_table'],
    ['INSERT INTO shipping (id) SELECT id FROM orders WHERE id = 5', 'INSERT shipping SELECT orders'],
    ['SELECT * FROM songs, artists WHERE songs.artist_id = artists.id', 'SELECT songs artists'],
    [
      'SELECT d FROM (SELECT * FROM orders o JOIN customers c ON o.c = c.id)',
      'SELECT SELECT orders customers',
    ],
    ['SELECT * FROM "song list" s, public."Artists"', 'SELECT "song list" public."Artists"'],
    ['select extract(year from x) from t1 a left join s.t2 b using (id) for update', 'select t1 s.t2'],
    ['SELECT a IS DISTINCT FROM b FROM t', 'SELECT t'],
    ['WITH x AS (SELECT 1 FROM q) DELETE FROM z USING x, y', 'SELECT q DELETE z y'],
    ['WITH RECURSIVE x(n) AS (SELECT 1) SELECT * FROM x JOIN t ON true', 'SELECT SELECT t'],
    ['INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET x = 1', 'INSERT a'],
    ['UPDATE ONLY a SET b = 2 FROM c', 'UPDATE a c'],
    ['MERGE INTO a USING b ON x WHEN MATCHED THEN UPDATE SET c = 1', 'MERGE a b'],
    ['CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)', 'CREATE INDEX i'],
    ['create table if not exists shop.orders (id int default 5)', 'create table shop.orders'],
    ['CREATE OR REPLACE FUNCTION f(a int) AS $$ SELECT 1 $$', 'CREATE FUNCTION f'],
    ['CREATE PROCEDURE p() BEGIN SELECT 1 FROM t; END', 'CREATE PROCEDURE p'],
    ['DROP TABLE a, b', 'DROP TABLE a b'],
    ['BEGIN; UPDATE t SET a = 1; COMMIT', 'BEGIN UPDATE t COMMIT'],
    ['COPY (SELECT * FROM b) TO STDOUT', 'COPY SELECT b'],
    ['CALL add_it(1, 2)', 'CALL add_it'],
    ['EXPLAIN ANALYZE SELECT * FROM t', 'EXPLAIN SELECT t'],
    ['SELECT * FROM generate_series(1, 5) g, t2 UNION ALL SELECT * FROM t3', 'SELECT t2 SELECT t3'],
    ['SET search_path TO secret', 'SET'],
    ['/* hello */ -- world\n (SELECT 1 FROM a) UNION (SELECT 2 FROM b)', 'SELECT a SELECT b'],
    ['', ''],
    [';;', ''],
  ])('%s', (text, summary) => {
    expect(of(text).summary).toBe(summary);
  });

  it('is cut between names at 255 characters', () => {
    const { summary } = of(
      `SELECT * FROM ${Array.from({ length: 20 }, (_, i) => `${'t'.repeat(30)}${i}`).join(', ')}`,
    );
    expect(summary.length).toBeLessThanOrEqual(255);
    expect(summary).toMatch(/ t{30}\d+$/);
  });
});

describe('SQL sanitising', () => {
  it.each([
    [
      "SELECT 'it''s', E'c\\'d', $$q$$, $t$a $$ b$t$, U&'x', B'01', 1.5e-3, .5, 0xFF, true, null",
      'SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null',
    ],
    [
      'SELECT a1, "B 2" FROM t3 WHERE x IN (1, -2, $3) AND y = $1::text',
      'SELECT a1, "B 2" FROM t3 WHERE x IN (?) AND y = $1::text',
    ],
    ["SELECT  1\n\t FROM /* secret 'x' */ t -- tail", 'SELECT ? FROM t'],
    ['SELECT /* outer /* inner */ still */ 1', 'SELECT ?'],
    ["SELECT 'cut off", 'SELECT ?'],
    [
      "SELECT * FROM t WHERE d > DATE '2026-01-01' AND j @> '{}' LIMIT 5",
      'SELECT * FROM t WHERE d > DATE ? AND j @> ? LIMIT ?',
    ],
  ])('%s', (text, sanitised) => {
    expect(of(text).sanitised).toBe(sanitised);
  });

  it.each([
    [
      "SELECT `a b` FROM t WHERE n = \"joe\" AND m = 'it\\'s' # c",
      'SELECT `a b` FROM t WHERE n = ? AND m = ?',
    ],
    ['/*!40101 SET NAMES utf8 */', 'SET NAMES utf8'],
    ["SELECT _utf8mb4'x', @@version, @v", 'SELECT ?, @@version, @v'],
  ])('of MySQL: %s', (text, sanitised) => {
    expect(of(text, 'mysql').sanitised).toBe(sanitised);
  });

  it('leaves no literal in any prefix of a statement', () => {
    const text = "SELECT 'secret', E'sec\\'ret', $$secret$$ FROM t WHERE a IN ('secret', 'secret')";
    for (let end = 0; end <= text.length; end++)
      expect(of(text.slice(0, end)).sanitised).not.toContain('secret');
  });

  it('hides quoted values of messages and keeps names', () => {
    expect(withoutValues("Duplicate entry 'joe@example.org' for key 'users.email'")).toBe(
      "Duplicate entry '?' for key 'users.email'",
    );
    expect(withoutValues("Duplicate entry 'it''s secret' for key 'PRIMARY'")).toBe(
      "Duplicate entry '?' for key 'PRIMARY'",
    );
    expect(withoutValues("Incorrect value: 'secret")).not.toContain('secret');
    expect(withoutValues('syntax error at or near "secret"')).not.toContain('secret');
    expect(withoutValues('relation "nope" does not exist')).toBe('relation "nope" does not exist');
    expect(withoutValues('invalid input syntax for type integer: "abc"')).toBe(
      'invalid input syntax for type integer: ?',
    );
  });
});

describe('readSqlContext', () => {
  const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('reads the comment, before or after the statement', () => {
    const expected = {
      traceId: parent.slice(3, 35),
      spanId: parent.slice(36, 52),
      sampled: true,
      carrier: 'sqlcommenter',
      state: 'a=b',
    };
    expect(readSqlContext(`SELECT 1 /*action='x',traceparent='${parent}',tracestate='a%3Db'*/`)).toEqual(
      expected,
    );
    expect(readSqlContext(`/*traceparent='${parent}',tracestate='a%3Db'*/ SELECT 1 /* x */`)).toEqual(
      expected,
    );
    expect(readSqlContext(`SELECT 1 -- traceparent='${parent}'`)).toMatchObject({
      traceId: parent.slice(3, 35),
    });
  });

  it("does not take an application's data for one", () => {
    expect(readSqlContext(`INSERT INTO t VALUES ('traceparent=''${parent}''')`)).toBeUndefined();
    expect(readSqlContext(`SELECT "traceparent='${parent}'"`)).toBeUndefined();
    expect(readSqlContext("SELECT 1 /*traceparent='garbage'*/")).toBeUndefined();
  });
});

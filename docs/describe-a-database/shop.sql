CREATE TABLE customers (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL, first_name TEXT, last_name TEXT,
  password TEXT NOT NULL);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers, note TEXT,
  packed_by TEXT);
CREATE TABLE invoices (
  id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders, invoice_date TEXT NOT NULL,
  total NUMERIC NOT NULL);
CREATE TABLE visits (id INTEGER PRIMARY KEY, email TEXT, ip TEXT, page TEXT);
CREATE TABLE reviews (
  id INTEGER PRIMARY KEY, author INTEGER REFERENCES customers, stars INTEGER, text TEXT);
CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT);
INSERT INTO customers VALUES (1, 'ada@example.org', 'Ada', 'Lovelace', 'x1'),
  (2, 'bob@example.org', 'Bob', 'Babbage', 'x2');
INSERT INTO orders VALUES (1, 1, 'Ring twice', 'Eve'), (2, 1, NULL, 'Eve'), (3, 2, 'For Ada Lovelace', 'Eve');
INSERT INTO invoices VALUES (1, 1, '2001-05-05', 10), (3, 3, '2001-05-05', 30);
INSERT INTO visits VALUES (1, 'ADA@example.org', '192.0.2.1', '/'), (2, 'bob@example.org', '192.0.2.2', '/');
INSERT INTO reviews VALUES (1, 1, 5, 'Lovely'), (2, 2, 1, 'Slow');
INSERT INTO countries VALUES ('FR', 'France');

-- Every table holds documents (doc, JSON) beside what they are found by. Times are microseconds since 1970, UTC; names are
-- made by the service. The SQL here and in sql.go is understood by SQLite and PostgreSQL alike, but for STRICT.

-- +goose Up
CREATE TABLE households (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX households_at ON households (at, id);
CREATE INDEX households_carrier ON households (carrier, at, id);

CREATE TABLE carriers (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX carriers_at ON carriers (at, id);

CREATE TABLE hubs (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX hubs_at ON hubs (at, id);
CREATE INDEX hubs_household ON hubs (household, at, id);

CREATE TABLE doors (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX doors_at ON doors (at, id);
CREATE INDEX doors_household ON doors (household, at, id);
CREATE INDEX doors_hub ON doors (hub, at, id);

CREATE TABLE accounts (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX accounts_at ON accounts (at, id);
CREATE INDEX accounts_household ON accounts (household, at, id);

CREATE TABLE passkeys (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX passkeys_at ON passkeys (at, id);
CREATE INDEX passkeys_account ON passkeys (account, at, id);

CREATE TABLE invites (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX invites_at ON invites (at, id);

CREATE TABLE couriers (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX couriers_at ON couriers (at, id);
CREATE INDEX couriers_carrier ON couriers (carrier, at, id);

CREATE TABLE consents (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX consents_at ON consents (at, id);
CREATE INDEX consents_household ON consents (household, at, id);
CREATE INDEX consents_carrier ON consents (carrier, at, id);

CREATE TABLE deliveries (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX deliveries_at ON deliveries (at, id);
CREATE INDEX deliveries_household ON deliveries (household, at, id);
CREATE INDEX deliveries_carrier ON deliveries (carrier, at, id);
CREATE INDEX deliveries_courier ON deliveries (courier, at, id);
CREATE INDEX deliveries_hub ON deliveries (hub, at, id);

CREATE TABLE grants (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX grants_at ON grants (at, id);
CREATE INDEX grants_hub ON grants (hub, at, id);

CREATE TABLE orders (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX orders_at ON orders (at, id);
CREATE INDEX orders_state ON orders (state, at, id);
CREATE INDEX orders_hub ON orders (hub, at, id);

CREATE TABLE visits (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX visits_at ON visits (at, id);
CREATE INDEX visits_household ON visits (household, at, id);
CREATE INDEX visits_carrier ON visits (carrier, at, id);
CREATE INDEX visits_hub ON visits (hub, at, id);

CREATE TABLE incidents (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_at ON incidents (at, id);
CREATE INDEX incidents_household ON incidents (household, at, id);
CREATE INDEX incidents_carrier ON incidents (carrier, at, id);

CREATE TABLE alarms (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX alarms_at ON alarms (at, id);
CREATE INDEX alarms_household ON alarms (household, at, id);
CREATE INDEX alarms_state ON alarms (state, at, id);

CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  household TEXT NOT NULL,
  hub TEXT NOT NULL,
  door TEXT NOT NULL,
  carrier TEXT NOT NULL,
  courier TEXT NOT NULL,
  account TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_at ON sessions (at, id);

CREATE TABLE entries (
  hub TEXT NOT NULL,
  idx INTEGER NOT NULL,
  visit TEXT NOT NULL,
  leaf BLOB NOT NULL,
  PRIMARY KEY (hub, idx)
) STRICT;
CREATE INDEX entries_visit ON entries (hub, visit, idx);

-- +goose Down
DROP TABLE households;
DROP TABLE carriers;
DROP TABLE hubs;
DROP TABLE doors;
DROP TABLE accounts;
DROP TABLE passkeys;
DROP TABLE invites;
DROP TABLE couriers;
DROP TABLE consents;
DROP TABLE deliveries;
DROP TABLE grants;
DROP TABLE orders;
DROP TABLE visits;
DROP TABLE incidents;
DROP TABLE alarms;
DROP TABLE sessions;
DROP TABLE entries;

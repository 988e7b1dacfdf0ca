-- Who takes part, and the account that their money is in.
CREATE TABLE example_members (
    person BLOB NOT NULL,
    pocket BLOB NOT NULL,
    PRIMARY KEY (person)
) STRICT, WITHOUT ROWID;

-- Every pledge ever made; the money of an open one is held in the kernel under the pledge's own id.
CREATE TABLE example_pledges (
    pledge BLOB NOT NULL,
    giver BLOB NOT NULL,
    taker BLOB NOT NULL,
    amount_minor INTEGER NOT NULL,
    until_ns INTEGER NOT NULL,
    timer INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (pledge)
) STRICT, WITHOUT ROWID;

CREATE INDEX example_pledges_by_giver ON example_pledges (giver, pledge);
CREATE INDEX example_pledges_by_state ON example_pledges (state, pledge);

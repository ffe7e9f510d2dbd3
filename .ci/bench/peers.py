"""The same work as `quorumctl bench ingest`, by the tools that people would use instead: one of them a run.

Each reads every output file of a benchmark folder, takes the votes of each review and settles relevance and every field by
weighted majority (gpt-5-mini 2, gpt-5-nano 1). None of them stores a thing, which Quorum does.
Prints one JSON object: seconds, votes and reviews settled.
"""

import collections
import glob
import json
import sys
import time


def by_rows(loads, folder):
    """Python, one line after the other."""
    # (topic, review) -> field -> value -> weight
    consensus = collections.defaultdict(lambda: collections.defaultdict(lambda: collections.defaultdict(int)))
    votes = 0
    for path in glob.glob(f"{folder}/outputs/*.output.jsonl"):
        topic = path.rsplit("/", 1)[1].split(".", 1)[0]
        with open(path, "rb") as lines:
            for line in lines:
                row = loads(line)
                body = row["response"]["body"]
                answer = loads(body["choices"][0]["message"]["content"])
                weight = 2 if body["model"].startswith("gpt-5-mini") else 1
                fields = consensus[topic, row["custom_id"].split("-", 1)[0]]
                votes += 1
                for field, value in answer.items():
                    if field == "is_relevant" or answer["is_relevant"]:
                        fields[field][value] += weight
    majority = {key: {field: max(of, key=of.get) for field, of in fields.items()} for key, fields in consensus.items()}
    settled = sum("is_relevant" in fields for fields in majority.values())
    return votes, settled


def by_duckdb(folder):
    """DuckDB on all cores: the outputs as a table, then a majority for each field."""
    import duckdb

    db = duckdb.connect()
    db.execute(f"""
        CREATE TABLE vote AS
        SELECT parse_filename(filename).split('.')[1] AS topic, custom_id.split('-')[1] AS review,
               CASE WHEN response.body.model LIKE 'gpt-5-mini%' THEN 2 ELSE 1 END AS weight,
               from_json(response.body.choices[1].message.content, '"MAP(VARCHAR, VARCHAR)"') AS answer
        FROM read_ndjson('{folder}/outputs/*.output.jsonl', filename = true,
             columns = {{custom_id: 'VARCHAR', response: 'STRUCT(status_code INT, body STRUCT(model VARCHAR, choices
                       STRUCT(message STRUCT(content VARCHAR))[], usage STRUCT(prompt_tokens BIGINT,
                       completion_tokens BIGINT)))'}})""")
    votes = db.execute("SELECT count(*) FROM vote").fetchone()[0]
    settled = db.execute("""
        WITH said AS (
            SELECT topic, review, weight, answer['is_relevant'] = 'true' AS relevant, unnest(map_entries(answer)) AS field
            FROM vote
        ), weighed AS (
            SELECT topic, review, field.key AS name, field.value AS value, sum(weight) AS weight FROM said
            WHERE relevant OR name = 'is_relevant' GROUP BY ALL
        ), consensus AS (
            SELECT topic, review, name, arg_max(value, weight) AS value FROM weighed GROUP BY ALL
        )
        SELECT count(*) FROM consensus WHERE name = 'is_relevant'""").fetchone()[0]
    return votes, settled


def main():
    peer, folder = sys.argv[1:]
    start = time.perf_counter()
    if peer == "duckdb":
        votes, settled = by_duckdb(folder)
    elif peer == "orjson":
        import orjson

        votes, settled = by_rows(orjson.loads, folder)
    else:
        votes, settled = by_rows(json.loads, folder)
    print(json.dumps({"wall_ms": (time.perf_counter() - start) * 1e3, "votes": votes, "reviews": settled}))


main()

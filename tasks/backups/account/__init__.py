"""A PagerDuty account's configuration as items, and items brought back into an account.

For whoever stores and shows them (`tasks/backups`), this is all there is to know:

    reader = AccountReader(rest.limited(share=0.3, patience=timedelta(minutes=2)))       # account/reader.py
    for item in reader.read(progress): ...      # each name once; users first, then what names them
    reader.gaps                                 # afterwards: list[Gap(kind, why)], what the key may not see

`read` gives a consistent picture: it reads all, lists again, reads again what has changed meanwhile, and only then gives items,
which it holds compressed (some hundred bytes each). An unchanged account gives equal items. The item `account/account` names the
account's host, its plan's abilities and, as `not_backed_up`, the gaps: they stay in the snapshot. No item holds an integration key,
a webhook's secret or a calendar's address. Calls are made by up to `workers` threads, each within the client's limits and retries.
TransientError: PagerDuty does not answer; start again, nothing was kept.

    restorer = AccountRestorer(rest.limited(…))                                          # account/restorer.py
    plan = restorer.plan(items)                 # AccountPlan, a `restoring.Plan`: reads the target, changes nothing
    outcome = restorer.apply(plan, journal, progress)

`items` may be any iterable, in any order, of the account's items. The journal's entries are JSON objects of some hundred bytes,
`{"intents": […]}` before things are made and `{"made": […]}` after: old id -> new id. A killed run is resumed by the same two calls
with the same journal: what was made and not written down is found by its name before anything is made. What one item is refused
(a 4xx) is a `cannot` among the outcome's differences, and so is what depends on it; the others go on. TransientError: run it again.

    differences(before, after) -> Iterator[Difference]                                   # account/differences.py

`before` and `after` are iterables of items of the same account; `Difference(verb, kind, id, title, fields)` with the verbs `added`,
`removed`, `changed`; `str()` of one is a line for people: `service "checkout": escalation policy "Day" -> "Night"`.

    least_calls(items) -> int                                                            # account/bound.py

How many REST calls reading this account takes at least.
"""

BEFORE_SETTINGS = """
# Configuration

<!-- Made by `tocsin config docs` from the descriptions in config/; edit those, not this page. -->

Nothing needs to be set to try Tocsin: every setting has a default, and the services shipped with it call a sandbox.

- `tocsin config show` prints every setting, its value (secrets masked) and the file and line, or the environment
  variable, that the value comes from. `--section redis` shows one section, `--environment production` another one.
- `tocsin config check` says OK, or lists everything that is wrong in all files and variables at once, and how to mend
  it (exit code 78). Nothing starts with a configuration that it refuses.

## Where a value comes from

The first of these that has a value counts:

1. a flag of the command
2. an environment variable: the name in the tables below. Every setting has the name `TOCSIN_<SECTION>__<FIELD>` too,
   such as `TOCSIN_REDIS__URL` or `TOCSIN_PAGERDUTY__CIRCUIT_BREAKER__RECOVERY_TIMEOUT`; it counts where both are set
3. a secret file: `ENCRYPTION_KEY_FILE=/run/secrets/encryption_key` reads the value of `ENCRYPTION_KEY` from that file;
   or a command: `ENCRYPTION_KEY_COMMAND='vault kv get -field=key secret/tocsin'` takes what it prints (ten seconds, no shell).
   This works for every secret and for every `TOCSIN_…` name
4. `environments/<environment>.yaml` in the configuration folder
5. `pagerduty.yaml` there
6. the default

The configuration folder is `config` of the installation, or the one that `TOCSIN_CONFIG_DIR` names. The environment is
`development` unless `ENVIRONMENT` says `staging` or `production`.

## How to write values

- Durations: seconds (`30`, `0.5`) or numbers with units: `250ms`, `30s`, `5m`, `2h`, `7d`, `1h30m`.
- A key without a value means its default. An empty environment variable counts as not set.
- `${VAR}` in a YAML file is replaced by the environment variable, or by the content of the file that `VAR_FILE` names, or by what
  the command in `VAR_COMMAND` prints.
  It must be set; `${VAR:-default}` need not be. `$${` stands for `${` itself.
- Unknown keys are refused, in files and in variables that begin with `TOCSIN_` and hold `__`.

## In production

`ENCRYPTION_KEY` is required (`tocsin config keygen` makes one), `JWT_SECRET` has at least 32 characters where it is
set, addresses of PagerDuty begin with `https://`, and the sample keys of the shipped services are refused: give every
service real keys, or remove its file.

## Settings
"""

AFTER_SETTINGS = """
## Services

One file each: `services/payments.yaml` is the service `payments`.

```yaml
description: Takes the money.
ingest_keys:
  - ${PAYMENTS_INGEST_KEY}            # make one: tocsin config keygen --ingest
channels:                             # tried in this order
  - name: primary
    routing_key: ${PAYMENTS_PAGERDUTY_KEY}
  - name: standby
    routing_key: ${PAYMENTS_STANDBY_PAGERDUTY_KEY}
severity_deadlines:
  critical: 30s                       # then the next channel is tried
```

Besides `pagerduty`, the `kind` of a channel may be `slack`, `teams`, `email` or `webhook`: [channels.md](channels.md).
No two services share an ingest key. A service's `routes` say which alerts take other channels: [routing.md](routing.md).
How the webhooks of foreign senders become alerts stands in one file each, too, `mappings/NAME.yaml`: [webhooks.md](webhooks.md).
"""

ABOUT_POLICIES = """
## Escalation policies

One file each: `policies/on-call.yaml` is the policy `on-call`; a service that says `escalation: on-call` follows it. What
the steps mean, to the minute: [escalations.md](escalations.md). Days off stand in `holidays/NAME.yaml`.
"""

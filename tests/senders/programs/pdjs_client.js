// PagerDuty's Node client: `server` is a host, and https is not negotiable.
const { event, change } = require("@pagerduty/pdjs");

const { ACTION: event_action, KEY: dedup_key, ROUTING_KEY: routing_key } = process.env;
const server = new URL(process.env.GATEWAY).host;

(async () => {
  if (event_action === "change") {
    const payload = { summary: `deployed after ${dedup_key}`, source: "ci" };
    const { response } = await change({ server, data: { routing_key, payload } });
    if (response.status !== 202) throw new Error(`${response.status}`);
    return;
  }
  const payload = { summary: "disk full", source: "db-1", severity: "error" };
  const { data } = await event({ server, data: { routing_key, event_action, dedup_key, payload } });
  process.stdout.write(data.dedup_key);
})();

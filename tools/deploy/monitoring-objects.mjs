// Prometheus' operator publishes no offline schema that a registry here has: what its two objects may hold, as far as
// the chart uses them (monitoring.coreos.com/v1).
import { Ajv } from "ajv";

const only = (properties, required = []) => ({ type: "object", additionalProperties: false, properties, required });
const text = { type: "string", minLength: 1 };
const texts = { type: "object", additionalProperties: { type: "string" } };
const duration = { type: "string", pattern: "^[0-9]+(ms|s|m|h|d)$" };

const SPECS = {
  ServiceMonitor: only(
    {
      jobLabel: text,
      selector: only({ matchLabels: texts, matchExpressions: { type: "array", items: { type: "object" } } }),
      endpoints: {
        type: "array",
        minItems: 1,
        items: only({
          port: text,
          path: { type: "string", pattern: "^/" },
          interval: duration,
          scrapeTimeout: duration,
        }),
      },
    },
    ["selector", "endpoints"],
  ),
  PrometheusRule: only(
    {
      groups: {
        type: "array",
        minItems: 1,
        items: only(
          {
            name: text,
            interval: duration,
            rules: {
              type: "array",
              minItems: 1,
              items: only({ alert: text, record: text, expr: text, for: duration, labels: texts, annotations: texts }, [
                "expr",
              ]),
            },
          },
          ["name", "rules"],
        ),
      },
    },
    ["groups"],
  ),
};

const ajv = new Ajv({ allErrors: true });
const validators = Object.fromEntries(Object.entries(SPECS).map(([kind, schema]) => [kind, ajv.compile(schema)]));

export function crdProblems(objects) {
  return objects
    .filter(({ kind }) => kind in validators)
    .flatMap(({ kind, metadata, spec }) => {
      const validate = validators[kind];
      if (validate(spec)) return [];
      return validate.errors.map((error) => `${kind} ${metadata.name}: ${error.instancePath} ${error.message}`);
    });
}

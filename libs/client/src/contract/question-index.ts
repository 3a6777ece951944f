import { questionKey, questionPath, type QuestionDefinition } from "@firn/core";

/** A question of a path, with the parameters that stand in it. */
export interface PathMatch {
  readonly question: QuestionDefinition;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Finds questions by how they are asked. */
export interface QuestionIndex {
  readonly all: readonly QuestionDefinition[];
  /**
   * The question of a NATS subject after `query.`: its key, or its path where that has no parameters (`price.daily`,
   * `regime.list`, `regime`).
   */
  ofSubject(subject: string): QuestionDefinition | undefined;
  /** The questions of a path, one a method; empty when there is none. */
  ofPath(path: string): readonly PathMatch[];
}

/** Definitions as they are asked for: by subject and by path. */
export function questionIndex(all: readonly QuestionDefinition[]): QuestionIndex {
  return {
    all,
    ofSubject: (subject) => {
      const path = `/api/${subject.replaceAll(".", "/")}`;
      return all.find((question) => questionKey(question) === subject || questionPath(question) === path);
    },
    ofPath: (path) => {
      const matches = all.flatMap((question) => {
        const parameters = matchPath(questionPath(question), path);
        return parameters === undefined ? [] : [{ question, parameters }];
      });
      // A word in the path comes before a parameter in its place: `/api/meta/tickers`.
      const named = matches.filter(({ parameters }) => Object.keys(parameters).length === 0);
      return named.length > 0 ? named : matches;
    },
  };
}

function matchPath(template: string, path: string): Record<string, string> | undefined {
  const [parts, given] = [template.split("/"), path.split("/")];
  if (parts.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    if (name !== undefined) parameters[name] = given[index]!;
    else if (part !== given[index]) return undefined;
  }
  return parameters;
}

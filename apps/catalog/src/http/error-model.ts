import { HttpException } from "@nestjs/common";
import type { FastifyReply } from "fastify";
import { isLakeError, stringifyLakeJson, type LakeError } from "@firn/lake";
import { Problem, type Logger } from "@firn/service";

/** The body of every failure (REST specification, schema `ErrorModel`). */
export interface ErrorModel {
  readonly message: string;
  readonly type: string;
  readonly code: number;
}

/** Answers an error of a handler, a parser or the router as an ErrorModel; logs those that are our fault. */
export function answerError(reply: FastifyReply, error: unknown, log: Logger): void {
  const model = errorModelOf(error);
  if (model.code >= 500 && model.code !== 503) {
    log.error("request failed", { method: reply.request.method, route: reply.request.routeOptions.url, error });
  }
  if (reply.sent) return;
  if (error instanceof Problem) void reply.headers(error.headers);
  void reply
    .code(model.code)
    .type("application/json")
    .send(stringifyLakeJson({ error: model }));
}

function errorModelOf(error: unknown): ErrorModel {
  if (isLakeError(error)) return lakeErrorModel(error);
  if (error instanceof Problem) return { message: error.message, type: typeOfStatus(error.status), code: error.status };
  const status = statusOf(error);
  if (status === undefined || status >= 500) {
    return { message: "Internal error", type: "InternalServerError", code: 500 };
  }
  const message = error instanceof Error ? error.message : "Bad request";
  return { message, type: typeOfStatus(status), code: status };
}

function typeOfStatus(status: number): string {
  switch (status) {
    case 401:
      return "NotAuthorizedException";
    case 403:
      return "ForbiddenException";
    case 404:
      return "NotFoundException";
    case 503:
      return "ServiceUnavailableException";
    default:
      return "BadRequestException";
  }
}

function lakeErrorModel(error: LakeError): ErrorModel {
  const { message } = error;
  switch (error.kind) {
    case "not_found":
      return { message, type: missingType(error.context["missing"]), code: 404 };
    case "already_exists":
      return { message, type: "AlreadyExistsException", code: 409 };
    case "conflict": {
      const notEmpty = error.context["reason"] === "namespace_not_empty";
      return { message, type: notEmpty ? "NamespaceNotEmptyException" : "CommitFailedException", code: 409 };
    }
    case "invalid":
      if (error.context["reason"] === "set_and_removed" || error.context["reason"] === "unprocessable") {
        return { message, type: "UnprocessableEntityException", code: 422 };
      }
      if (error.context["reason"] === "illegal_argument") {
        return { message, type: "IllegalArgumentException", code: 400 };
      }
      return { message, type: "BadRequestException", code: 400 };
    case "unauthorized":
      return { message, type: "ForbiddenException", code: 403 };
    case "unsupported":
      return { message, type: "UnsupportedOperationException", code: 406 };
    case "unavailable":
      return { message, type: "ServiceUnavailableException", code: 503 };
    case "unknown_outcome":
      return { message, type: "CommitStateUnknownException", code: 500 };
    case "corrupt":
      return { message, type: "InternalServerError", code: 500 };
  }
}

function missingType(missing: unknown): string {
  if (missing === "namespace") return "NoSuchNamespaceException";
  if (missing === "view") return "NoSuchViewException";
  return missing === "table" ? "NoSuchTableException" : "NotFoundException";
}

/** Nest's own errors and Fastify's carry a status. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === "number" && statusCode >= 400 ? statusCode : undefined;
}

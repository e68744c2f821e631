/**
 * `wasi:http`: requests that a component makes.
 *
 * Source: https://github.com/WebAssembly/WASI/tree/main/proposals/http
 *
 * @module
 */
import type { Interface } from "../interface.ts";
import type { IoError } from "../io.ts";
import { type Field, Fields } from "./fields.ts";
import {
  FutureTrailers,
  IncomingBody,
  IncomingResponse,
  OutgoingBody,
  OutgoingRequest,
  OutgoingResponse,
  RequestOptions,
} from "./messages.ts";
import { FutureIncomingResponse, handle } from "./send.ts";
import { OUTGOING_HANDLER, TYPES } from "./wit.ts";

function none(): never {
  throw new TypeError("a component is not called with requests");
}

/** `incoming-request`, of which there are none: nobody calls a component with one. */
class IncomingRequest {}

/** `response-outparam`, likewise. */
class ResponseOutparam {}

/** The way from an error of a stream to what `wasi:http` calls it. */
function httpErrorCode({ failure }: IoError): unknown {
  return typeof failure === "object" ? failure : undefined;
}

const types: Interface = {
  wit: TYPES,
  classes: {
    fields: Fields,
    "future-trailers": FutureTrailers,
    "incoming-body": IncomingBody,
    "outgoing-body": OutgoingBody,
    "incoming-request": IncomingRequest,
    "outgoing-request": OutgoingRequest,
    "request-options": RequestOptions,
    "incoming-response": IncomingResponse,
    "outgoing-response": OutgoingResponse,
    "response-outparam": ResponseOutparam,
    "future-incoming-response": FutureIncomingResponse,
  },
  functions: (world) => ({
    "[constructor]fields": () => new Fields(),
    "[static]fields.from-list": (entries: Field[]) => Fields.fromList(entries),
    "[static]incoming-body.finish": IncomingBody.finish,
    "[static]outgoing-body.finish": OutgoingBody.finish,
    "[constructor]outgoing-request": (headers: Fields) => new OutgoingRequest(world, headers),
    "[constructor]request-options": () => new RequestOptions(),
    "[constructor]outgoing-response": (headers: Fields) => new OutgoingResponse(world, headers),
    "[static]response-outparam.set": none,
    "http-error-code": httpErrorCode,
  }),
  waits: ["[method]future-incoming-response.get"],
};

const outgoingHandler: Interface = {
  wit: OUTGOING_HANDLER,
  functions: (world) => ({
    handle: (request: OutgoingRequest, options: RequestOptions | undefined) =>
      handle(world, request, options),
  }),
};

/** In the order in which they use each other. */
export const INTERFACES: readonly Interface[] = [types, outgoingHandler];

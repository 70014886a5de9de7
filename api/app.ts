import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { Authenticator, type VerifyToken } from './auth.ts';
import { type DemandDeps, demandRoutes } from './demand.ts';
import { type HealthDeps, healthRoutes } from './health.ts';
import { type LocationDeps, locationRoutes } from './locations.ts';
import { answerErrors, Problem } from './problem.ts';
import { type QuoteDeps, quoteRoutes } from './quotes.ts';
import { mount, type Route } from './route.ts';
import { trace } from './trace.ts';
import { type ZoneDeps, zoneRoutes } from './zones.ts';

export interface AppDeps extends QuoteDeps, ZoneDeps, LocationDeps, DemandDeps, HealthDeps {
  readonly log: Logger;
  readonly verifyToken: VerifyToken;
}

/** Answers are data: a browser that shows one as a page may load and run nothing. */
const apiPolicy = {
  useDefaults: false,
  directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
};

/** Every route with who may use it; the hot ones come first, as Express looks through them in order. */
export function apiRoutes(deps: AppDeps): Route[] {
  return [
    ...quoteRoutes(deps),
    ...locationRoutes(deps),
    ...demandRoutes(deps),
    ...zoneRoutes(deps),
    ...healthRoutes(deps),
  ];
}

export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(trace, helmet({ contentSecurityPolicy: apiPolicy }));
  if (deps.log.isLevelEnabled('debug')) app.use(requestLog(deps.log));
  mount(app, apiRoutes(deps), new Authenticator(deps.verifyToken));
  app.use(() => {
    throw new Problem('not-found');
  });
  app.use(answerErrors(deps.log));
  return app;
}

/** A line per request costs more than a quote; what fails is logged by the error handler at any level. */
function requestLog(log: Logger): RequestHandler {
  return pinoHttp({
    logger: log,
    genReqId: (_req, res) => String(res.getHeader('Trace-Id') ?? ''),
    customLogLevel: () => 'debug',
    serializers: { req: ({ id, method, url }) => ({ id, method, url }), res: ({ statusCode }) => ({ statusCode }) },
  });
}

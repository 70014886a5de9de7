import type { Express, Request, RequestHandler, Response } from 'express';
import { type Access, allow, type Authenticator } from './auth.ts';
import { type BodyKind, bodyReaders } from './body.ts';
import { Problem } from './problem.ts';

type Method = 'get' | 'post' | 'put' | 'delete';

/** One line of the authorisation table: nothing is reachable that does not say who may reach it. */
export interface Route {
  readonly method: Method;
  /** In Express syntax. */
  readonly path: string;
  readonly access: Access;
  readonly body?: BodyKind;
  readonly handle: (req: Request, res: Response) => void | Promise<void>;
}

/** Adds the routes to the app; a path that exists answers other methods with 405 and `Allow`. */
export function mount(app: Express, routes: readonly Route[], authenticator: Authenticator): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    const group = routes.filter((route) => route.path === path);
    const express = app.route(path);
    for (const route of group) {
      const guards = route.access === 'public' ? [] : [allow(authenticator, route.access)];
      express[route.method](...guards, ...bodyReaders(route.body ?? 'none'), route.handle);
    }
    express.all(refuseMethod(group));
  }
}

function refuseMethod(group: readonly Route[]): RequestHandler {
  const methods = group.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  const headers = { Allow: methods.join(', ') };
  return (req, res) => {
    if (req.method !== 'OPTIONS') throw new Problem('method-not-allowed', { headers });
    res.status(204).set(headers).end();
  };
}

/** A path parameter as text; Express may hold several for wildcards, which we have none of. */
export function pathParameter(req: Request, name: string): string {
  const value = req.params[name];
  if (typeof value !== 'string') throw new Error(`the route has no parameter ${name}`);
  return value;
}

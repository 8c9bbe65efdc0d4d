// An auction on Nest. Gateways work as always; MooringModule says whose connection it is, and stops everything in order.
import 'reflect-metadata';
import { join } from 'node:path';
import type { NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { WsAdapter } from '@nestjs/platform-ws';
import type { NextFunction, Request, Response } from 'express';
import { withMooring } from 'mooring/nestjs';
import { AppModule } from './app.module.js';
import { Origins } from './origins.js';

// forceCloseConnections: browsers keep HTTP connections open that nobody uses.
const options = { logger: ['error', 'warn'], forceCloseConnections: true } satisfies NestApplicationOptions;
const app = await NestFactory.create<NestExpressApplication>(AppModule, options);
app.useWebSocketAdapter(withMooring(new WsAdapter(app), app));
app.enableShutdownHooks(); // SIGTERM: Mooring tells every page when to come back
app.useStaticAssets(join(import.meta.dirname, '../public'), { index: false, extensions: ['html'] });
app.disable('x-powered-by');
const origins = app.get(Origins);
app.use(({ method, headers }: Request, response: Response, next: NextFunction) => {
  // A page of another site could post with the cookie of this one.
  if (method !== 'POST' || origins.has(headers.origin)) next();
  else response.status(403).send('Only pages of this site may do that.');
});

await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
const { port } = new URL(await app.getUrl());
origins.add(`http://127.0.0.1:${port}`, `http://localhost:${port}`);
console.log(`Auction on http://127.0.0.1:${port}/`);

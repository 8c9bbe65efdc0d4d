import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Body, Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Mooring } from 'mooring';
import { MOORING } from 'mooring/nestjs';
import { Sessions } from './sessions.js';

const publicFolder = join(import.meta.dirname, '../public');
// With a bundler this is not needed: the page imports mooring/client itself.
const clientFile = fileURLToPath(import.meta.resolve('mooring/client'));

@Controller()
export class PagesController {
  constructor(
    private readonly sessions: Sessions,
    @Inject(MOORING) private readonly mooring: Mooring,
  ) {}

  @Get()
  page(@Req() request: Request, @Res() response: Response): void {
    if (this.sessions.of(request) === null) response.redirect('/login');
    else response.sendFile('index.html', { root: publicFolder });
  }

  @Get('mooring/client.js')
  client(@Res() response: Response): void {
    response.sendFile(clientFile);
  }

  @Post('login')
  logIn(@Body() { name, password }: Record<string, unknown>, @Res() response: Response): void {
    const session = this.sessions.start(String(name), String(password));
    if (session !== null) response.cookie('auction_session', session.id, { httpOnly: true, sameSite: 'lax' });
    response.redirect(303, session === null ? '/login#failed' : '/');
  }

  /** Ends connections too. The cause tells their pages to ask for a login, and not to connect again. */
  @Post('logout')
  logOut(@Req() request: Request, @Res() response: Response): void {
    const session = this.sessions.of(request);
    if (session !== null) {
      this.sessions.end(session);
      for (const { key, data } of this.mooring.managersOf(session.user))
        if (data === session) this.mooring.release(key, { closeCause: 'unauthenticated' });
    }
    response.redirect(303, '/login');
  }
}

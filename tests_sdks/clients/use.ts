// Uses the client of the API in TypeScript: `node use.js URL KEY`.
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

declare const process: { argv: string[] };
const [, , baseUrl, key] = process.argv;
const withBearer = (proof?: string) =>
  createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${proof}` } });
const client = withBearer(key);

function same<T>(found: T, wanted: T): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
  }
}

const made = await client.POST('/api/v1/rooms', { body: { name: 'studio', recordingDays: 30 } });
const room: components['schemas']['Room'] | undefined = made.data;
same(room?.recordingDays, 30);
const path = { name: 'studio' };
const credentials = await client.POST('/api/v1/rooms/{name}/tokens', { params: { path }, body: { lifetime: 600 } });
same(credentials.data?.sessionId, room?.sessionId);
const page = await client.GET('/api/v1/rooms', { params: { query: { limit: 1 } } });
same(page.data?.items.map((each) => each.name), ['studio']);

const started = await client.POST('/api/v1/archives', { body: { room: 'studio' } });
same(started.data?.status, 'started');
const recording = { params: { path: { archive_id: started.data?.id ?? '' } } };
const stopped = await client.POST('/api/v1/archives/{archive_id}/stop', recording);
same(stopped.data?.status, 'stopped');
const recordings = await client.GET('/api/v1/archives', { params: { query: { room: 'studio' } } });
same(recordings.data?.items.map((each) => each.id), [started.data?.id]);
const share = { ...recording, body: { lifetime: 3600 } };
const link = await client.POST('/api/v1/archives/{archive_id}/share', share);
same(link.data?.url.startsWith(`${baseUrl}/shared/`), true);

const role = { params: { path }, body: { role: 'moderator' as const } };
const moderators = await client.POST('/api/v1/rooms/{name}/tokens', role);
const moderator = withBearer(moderators.data?.token);
const people = await moderator.GET('/api/v1/rooms/{name}/connections', { params: { path } });
same(people.data?.items.length, 1);
const muted = await moderator.POST('/api/v1/rooms/{name}/mute', { params: { path } });
same(muted.response.status, 204);
const publisher = withBearer(credentials.data?.token);
const refused = await publisher.GET('/api/v1/rooms/{name}/connections', { params: { path } });
same(refused.error?.code, 'client_token_insufficient');

const missing = await client.GET('/api/v1/rooms/{name}', { params: { path: { name: 'nowhere' } } });
same(missing.error?.code, 'room_not_found');
console.log('done');

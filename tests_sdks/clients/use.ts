// Uses the client of the API in TypeScript: `node use.js URL KEY`.
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

declare const process: { argv: string[] };
const [, , baseUrl, key] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

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
const missing = await client.GET('/api/v1/rooms/{name}', { params: { path: { name: 'nowhere' } } });
same(missing.error?.code, 'room_not_found');
console.log('done');

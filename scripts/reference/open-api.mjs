/**
 * The OpenAPI document of an admin API, as it answers it. The API is closed.
 *
 * @param {import('../../src/admin/admin.js').Admin} admin
 * @returns {Promise<import('./http.mjs').OpenApi>}
 */
export async function openApiOf(admin) {
  const answer = await admin.fetch(new Request('http://127.0.0.1/api/v1/openapi.json'));
  admin.close();
  return /** @type {import('./http.mjs').OpenApi} */ (await answer.json());
}

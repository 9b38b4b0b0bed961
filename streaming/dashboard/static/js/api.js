// Questions to the server. What goes wrong is thrown as a Problem with the state to show.
const TOKEN = "leitong.token";

export class Problem extends Error {
  constructor(state, message) {
    super(message);
    this.state = state;
  }
}

export const setToken = (token) => sessionStorage.setItem(TOKEN, token);

export async function ask(path, signal) {
  const token = sessionStorage.getItem(TOKEN);
  let answer;
  let body;
  try {
    answer = await fetch(`/api/${path}`, {
      signal,
      cache: "no-store",
      headers: token ? { Authorization: `Bearer ${token}` } : {},
    });
    body = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("gone", "");
  }
  if (answer.status === 401) throw new Problem("locked", body.message);
  if (!answer.ok) throw new Problem(body.state, body.message);
  if (body.state === "empty" && body.message) throw new Problem("empty", body.message);
  return body;
}

export const query = (parameters) => {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
};

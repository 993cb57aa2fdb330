/// <reference types="vite/client" />

declare module '*.json?catalog=entry' {
  const catalog: Record<string, string | [string]>;
  export default catalog;
}

declare module '*.json?catalog=main' {
  const catalog: Record<string, string | [string]>;
  export default catalog;
}

declare module '*.json?catalog=compose' {
  const catalog: Record<string, string | [string]>;
  export default catalog;
}

declare module '*.json?catalog=calendar' {
  const catalog: Record<string, string | [string]>;
  export default catalog;
}

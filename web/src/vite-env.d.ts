/// <reference types="vite/client" />

declare module '*.json?catalog' {
  const catalog: Record<string, string | [string]>;
  export default catalog;
}

import { Outlet } from '@tanstack/react-router';
import { LiveRegion } from './live-region';

export function Root() {
  return (
    <>
      <Outlet />
      <LiveRegion />
    </>
  );
}

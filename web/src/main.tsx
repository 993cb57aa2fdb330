import { isOutside } from '@/app/outside-path';
import './styles.css';

const root = document.getElementById('root')!;
if (isOutside(window.location.pathname)) void import('@/app/outside').then(({ start }) => start(root));
else void import('@/app/app').then(({ start }) => start(root));

import type { Routes } from './mock';

export const routes: Routes = {};

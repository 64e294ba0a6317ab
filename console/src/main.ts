import { mount } from 'svelte';
import App from './App.svelte';
import { loadLanguage } from './i18n/i18n.svelte.ts';
import { preferences } from './shell/preferences.svelte.ts';
import './style.css';

const target = document.getElementById('app');
if (target !== null) {
  await loadLanguage(preferences.language);
  mount(App, { target });
}

import { mount } from 'svelte';
import '../ui/tokens.css';
import '../ui/base.css';
import Components from './Components.svelte';

mount(Components, { target: document.getElementById('page')! });

import { mount } from 'svelte';
import '../ui/tokens.css';
import '../ui/base.css';
import Shop from './Shop.svelte';

mount(Shop, { target: document.getElementById('page')! });

import { mount } from 'svelte';
import '../ui/tokens.css';
import '../ui/base.css';
import Service from './Service.svelte';

mount(Service, { target: document.getElementById('page')! });

import { mount } from 'svelte';
import '../ui/tokens.css';
import '../ui/base.css';
import { install } from '../ui/install';
import Till from './Till.svelte';

mount(Till, { target: document.getElementById('page')! });
install();

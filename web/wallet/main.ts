import { mount } from 'svelte';
import '../ui/tokens.css';
import '../ui/base.css';
import Wallet from './Wallet.svelte';

mount(Wallet, { target: document.getElementById('page')! });

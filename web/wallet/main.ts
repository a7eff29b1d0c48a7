import { mount } from 'svelte';
import '../ui/tokens.css';
import '../ui/base.css';
import { install } from '../ui/install';
import Wallet from './Wallet.svelte';

mount(Wallet, { target: document.getElementById('page')! });
install();

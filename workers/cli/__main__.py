from workers.cli.start import main

main()
